"""Pure: frame → Figure. No streamlit in here."""
