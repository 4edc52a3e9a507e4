"""The form in Panel: `panel serve panel_form.py`."""

import panel as pn
from form import CRITERIA, LEVELS, TEXTS

pn.extension()
said = pn.pane.HTML('<p id="said">nothing</p>')
radios = [pn.widgets.RadioBoxGroup(name=name, options=LEVELS, value=None) for name in CRITERIA]


def heard(event):
    said.object = f'<p id="said">{event.new}</p>'


for radio in radios:
    radio.param.watch(heard, "value")
pn.Column(said, *radios, *(pn.widgets.TextAreaInput(name=name) for name in TEXTS)).servable()
