"""Charts: pure functions, frame → Figure. Nothing here knows Streamlit."""
