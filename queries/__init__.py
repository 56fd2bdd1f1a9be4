"""Questions to the lake and the ledger: SQL in files, one cursor a call. Knows no streamlit."""
