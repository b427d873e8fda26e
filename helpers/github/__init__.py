"""What the workflows write on GitHub, and how a repository is set up for them: GitHub's REST interface."""
