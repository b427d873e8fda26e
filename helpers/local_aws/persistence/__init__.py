"""State that outlives the server, with LOCAL_AWS_STATE=keep: a snapshot of all of it, after each change.

Why a snapshot and not a journal of requests: replayed requests give other IDs, keys and times, and what a job
has done cannot be replayed at all. Why one for all services: moto's backends refer to each other's objects (a
file system to its subnets, a stack's resource to a security group), and one pickle keeps these references.

A change is answered once a snapshot has it, so that what was answered survives `kill -9`. Changes that come
together share a snapshot. A snapshot takes the place of the one before by a rename: a whole one is always
there. The content of S3 objects lies in files beside it, each written once.

What ran when the server died has failed, as by a failure of AWS's host: jobs, executions and operations on
stacks come to an end, and can be tried again.
"""
