"""CloudFormation on top of moto: what deploys here deploys on AWS, and has the same effects."""
