"""Keeps the state after the server ends, with LOCAL_AWS_STATE=keep: a complete snapshot after each change.

A journal of requests would not work: replayed requests result in different IDs, keys and times, and the work
of a job cannot be replayed. All services share one snapshot, because moto's backends refer to each other's
objects (a file system to its subnets, a stack's resource to a security group). One pickle preserves these
references.

The response to a change is sent after a snapshot contains it, so the change survives `kill -9`. Concurrent
changes share a snapshot. A rename replaces the previous snapshot, so that a complete one always exists. The
content of S3 objects is in separate files, each written once.

Everything that was running when the server died fails like after a failure of an AWS host: jobs, executions
and stack operations end, and can be retried.
"""
