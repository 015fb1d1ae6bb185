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
        heard[call] = str(eval(call))
    except ValueError as error:
        heard[call] = str(error)
print(json.dumps(heard))
"""

REFUSED = {
    "LITWidget(frames, update=5)": "update is 5, a int; give an UpdateConfig",
    "LITWidget(frames, seed='a')": "seed is 'a', a str; give an int",
    "LITWidget(frames, features=3)": "features is 3, a int; give a FeatureCache",
    "LITClassifier(images, ['cat', 'dog'], update=5)": "update is 5, a int; give an UpdateConfig",
    "LITClassifier(images, ['cat', 'dog'], loss='x')": "loss is 'x', a str; give a LossConfig",
    "LITClassifier(images, ['cat', 'dog'], seed=1.5)": "seed is 1.5, a float; give an int",
    "LITClassifier(images, ['cat', 'dog'], top='many')": "top is 'many', a str; give an int",
    "LossConfig(margin='x')": "margin is 'x', a str; give a number from 0",
    "LossConfig(decay=-1.0)": "decay is -1.0; give a number from 0",
    "UpdateConfig(learning_rate='a')": "learning_rate is 'a', a str; give a number",
    "UpdateConfig(epochs=1.5)": "epochs is 1.5, a float; give a whole number from 1",
    "UpdateConfig(epochs=True)": "epochs is True, a bool; give a whole number from 1",
    "UpdateConfig(samples='a')": "samples is 'a', a str; give a whole number from 1",
    "UpdateConfig(threads=10**20)": "an update needs threads of at most 1000000",
    "UpdateConfig(good=float('nan'))": "good is not a number (nan)",
    "UpdateConfig(restore_best='no')": "restore_best is 'no'; give True or False",
    "LITWidget(frames, seed=2**70)": "give an int from -2**62 to 2**62",
    "LITClassifier(images, ['cat', 'dog'], seed=2**70)": "give an int from -2**62 to 2**62",
    "LITWidget(frames, fps='5')": "fps is a float or int above 0, of frames per second, got '5'",
    "UpdateConfig(patience=-1)": "an update needs patience of at least 1, got -1",
}

NUMPY = "UpdateConfig(epochs=np.int64(2), learning_rate=np.float32(0.5), threads=np.int32(1))"
PLAIN = f"[(c.epochs, c.learning_rate, c.threads) for c in [{NUMPY}]][0]"


@pytest.fixture(scope="module")
def heard():
    code = CODE.format(calls=[*REFUSED, PLAIN])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("call", "sentence"), REFUSED.items())
def test_an_option_of_another_type_is_refused_by_name(heard, call, sentence):
    assert sentence in heard[call]


def test_numbers_of_numpy_become_plain_ones(heard):
    assert heard[PLAIN] == "(2, 0.5, 1)"
