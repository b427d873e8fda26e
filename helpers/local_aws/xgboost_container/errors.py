"""How training and serving fail."""


class UserError(Exception):
    """A mistake in the hyperparameters, the channels or the data; the message is the image's."""
