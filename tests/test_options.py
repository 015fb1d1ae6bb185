"""Options of the wrong type, in a kernel without the tests' own shape checker, which would refuse them first."""

import json
import subprocess
import sys

import pytest

CODE = """
import json
import numpy as np
from lit_widget import LITClassifier, LITWidget, UpdateConfig
from lit_widget.images.losses import LossConfig
frames, images = np.zeros((4, 90, 120, 3), np.uint8), list(np.zeros((3, 32, 32, 3), np.uint8))
heard = {{}}
for call in {calls!r}:
    try:
        eval(call)
    except ValueError as error:
        heard[call] = str(error)
print(json.dumps(heard))
"""

REFUSED = {
    "LITWidget(frames, update=5)": "update is 5, a int; give an UpdateConfig",
    "LITWidget(frames, seed='a')": "seed is 'a', a str; give a whole number",
    "LITWidget(frames, features=3)": "features is 3, a int; give a FeatureCache",
    "LITClassifier(images, ['cat', 'dog'], update=5)": "update is 5, a int; give an UpdateConfig",
    "LITClassifier(images, ['cat', 'dog'], loss='x')": "loss is 'x', a str; give a LossConfig",
    "LITClassifier(images, ['cat', 'dog'], seed=1.5)": "seed is 1.5, a float; give a whole number",
    "LITClassifier(images, ['cat', 'dog'], top='many')": "top is 'many', a str; give a whole number",
    "LossConfig(margin='x')": "margin is 'x', a str; give a number from 0",
    "LossConfig(decay=-1.0)": "decay is -1.0; give a number from 0",
    "UpdateConfig(learning_rate='a')": "rate is 'a', a str; give a number",
    "UpdateConfig(epochs=1.5)": "epochs is 1.5, a float; give a whole number from 1",
    "UpdateConfig(epochs=True)": "epochs is True, a bool; give a whole number from 1",
    "UpdateConfig(samples='a')": "samples is 'a', a str; give a whole number from 1",
    "UpdateConfig(patience=-1)": "an update needs patience of at least 1, got -1",
}


@pytest.fixture(scope="module")
def heard():
    code = CODE.format(calls=list(REFUSED))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("call", "sentence"), REFUSED.items())
def test_an_option_of_another_type_is_refused_by_name(heard, call, sentence):
    assert sentence in heard[call]
