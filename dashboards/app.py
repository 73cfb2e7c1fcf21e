"""The dashboards: `streamlit run dashboards/app.py`. A page a reader's question, in the order they are asked."""

import streamlit as st

st.set_page_config(page_title="helmdesk", layout="wide", initial_sidebar_state=280)

page = st.navigation(
    {
        "helmdesk": [
            st.Page("views/attainment.py", title="Are we keeping our promises?", default=True),
            st.Page("views/queue.py", title="What should I do next?", url_path="queue"),
            st.Page("views/review.py", title="Review: what is it about?", url_path="review"),
            st.Page("views/alerts.py", title="Alerts: what fired, what is next?", url_path="alerts"),
            st.Page("views/triage.py", title="Can we trust triage?", url_path="triage"),
            st.Page("views/volume.py", title="Volume and load: can we keep up?", url_path="volume"),
            st.Page("views/sources.py", title="What do we know of each source?", url_path="sources"),
            st.Page("views/ticket.py", title="Ticket: what do we know and owe?", url_path="ticket"),
        ]
    }
)
page.run()
