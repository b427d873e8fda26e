"""The Spark image's contract (aws/sagemaker-spark-container), honoured in a folder of the job."""
