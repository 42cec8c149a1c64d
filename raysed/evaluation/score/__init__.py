"""Anyone's predictions, scored."""
