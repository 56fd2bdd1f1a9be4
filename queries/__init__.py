"""Read-only questions in SQL, over the manifest's files."""
