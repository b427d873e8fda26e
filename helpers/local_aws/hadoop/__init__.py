"""Hadoop on this machine: the HDFS and YARN daemons of a cluster, in one JVM per job."""
