"""The way from counts to F1 and PSDS."""
