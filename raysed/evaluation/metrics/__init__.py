"""From counts to F1 and PSDS."""
