"""The bare app that ours is held against: two pages with a select box and a chart of constants."""

import plotly.graph_objects as go
import streamlit as st

st.set_page_config(layout="wide")


def one() -> None:
    """A page."""
    draw("One")


def two() -> None:
    """Another."""
    draw("Two")


def draw(title: str) -> None:
    """What both show."""
    st.header(title)
    figure = go.Figure(go.Scatter(x=[1, 2, 3], y=[2, 1, 3 if choice == "All" else 4]))
    st.plotly_chart(figure, width="stretch", key="chart")


chosen = st.navigation([st.Page(one, title="One", default=True), st.Page(two, title="Two")])
choice = st.sidebar.selectbox("District", ["All", "A", "B"])  # here, so that it stays as it is
chosen.run()
