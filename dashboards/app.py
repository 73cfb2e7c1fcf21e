"""The dashboards: `streamlit run dashboards/app.py`. `pages` has them in their sections."""

import streamlit as st

from dashboards import filters, navigation, opening, sign_in, theme

st.set_page_config(page_title="helmdesk", layout="wide", initial_sidebar_state=280)
theme.style()

app = opening.app()
visitor = sign_in.visitor(app)
page = st.navigation(navigation.sections(app, visitor), expanded=True)
filters.above(app, visitor, page)
page.run()
