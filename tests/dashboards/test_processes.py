"""What a page leaves behind in the process it ran in."""

import os

from streamlit.testing.v1 import AppTest

from tests.processes import processes


def page() -> None:
    import streamlit as st

    st.title("Anything")


def test_a_process_can_be_started_after_a_page_ran_here() -> None:
    AppTest.from_function(page).run()
    with processes() as pool:
        assert pool.submit(os.getpid).result(timeout=60) != os.getpid()
