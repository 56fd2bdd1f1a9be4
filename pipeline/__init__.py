"""Raw device files to published marts. Never imports streamlit, app or queries."""
