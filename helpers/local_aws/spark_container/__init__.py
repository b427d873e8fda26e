"""The contract of the Spark image (aws/sagemaker-spark-container), implemented in a folder of the job."""
