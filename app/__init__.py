"""The Streamlit app and the command line."""
