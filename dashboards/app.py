"""The dashboards: `streamlit run dashboards/app.py`. `pages` has them in their sections."""

import streamlit as st

from dashboards import pages, theme

st.set_page_config(page_title="helmdesk", layout="wide", initial_sidebar_state=280)

theme.style()

page = st.navigation(pages.navigation())
page.run()
