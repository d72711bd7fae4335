"""The life of environments: back-ups and restores, copies, deletion, and their keys."""
