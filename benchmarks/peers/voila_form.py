"""The form in ipywidgets, for a stock Voila; `voila_form.ipynb` imports it."""

import ipywidgets as widgets
from form import CRITERIA, LEVELS, TEXTS


def form():
    said = widgets.HTML('<p id="said">nothing</p>')
    radios = [widgets.RadioButtons(description=name, options=LEVELS, value=None) for name in CRITERIA]

    def heard(change):
        said.value = f'<p id="said">{change.new}</p>'

    for radio in radios:
        radio.observe(heard, "value")
    return widgets.VBox([said, *radios, *(widgets.Textarea(description=name) for name in TEXTS)])
