"""What is kept and where: ledger, manifest, claims, files."""
