"""What a change would do, cost and has drifted from."""
