"""The form in Streamlit: `streamlit run streamlit_form.py`."""

import streamlit as st
from form import CRITERIA, LEVELS, TEXTS

values = [st.radio(name, LEVELS, index=None) for name in CRITERIA]
st.html(f'<p id="said">{next((value for value in values if value), "nothing")}</p>')
for name in TEXTS:
    st.text_area(name)
