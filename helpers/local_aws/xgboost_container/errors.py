"""Errors of training and serving."""


class UserError(Exception):
    """The hyperparameters, channels or data are not valid; the message is that of the image."""
