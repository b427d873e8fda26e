"""CloudFormation on top of moto: a template deploys here as on AWS, with the same effects."""
