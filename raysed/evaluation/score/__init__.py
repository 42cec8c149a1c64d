"""The scoring of anyone's predictions."""
