"""Many small files of a closed day → a few ordered ones."""
