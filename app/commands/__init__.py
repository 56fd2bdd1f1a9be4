"""The commands of ``haulwatch``, by what they are for."""
