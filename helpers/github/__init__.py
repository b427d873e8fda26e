"""What the workflows say on GitHub, and how a repository is set up for them: GitHub's REST interface."""
