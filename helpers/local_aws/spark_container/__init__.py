"""The Spark image's contract (aws/sagemaker-spark-container), honored in a folder of the job."""
