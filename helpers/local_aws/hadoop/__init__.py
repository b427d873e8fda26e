"""Hadoop on this machine: HDFS and YARN, whose daemons are those of a cluster, in one JVM for each job."""
