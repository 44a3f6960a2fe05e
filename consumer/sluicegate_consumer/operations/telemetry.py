"""What libraries would tell their makers, switched off: here, for all of them.

| library | what it would send | switched off by |
| --- | --- | --- |
| huggingface_hub, transformers | versions and usage, to the hub | `HF_HUB_DISABLE_TELEMETRY`, `DO_NOT_TRACK` |
| hf_xet | measurements of transfers, native code | `HF_XET_TELEMETRY_ENABLED`, `DO_NOT_TRACK` |
| onnxruntime, from 1.29 | model, device and session, to Microsoft, native code | `ORT_DISABLE_TELEMETRY` |
| openvino | an event with every import, to Google Analytics | `openvino_telemetry` cannot be imported |

Native code is not seen by the egress guard, so for that these switches are what there is within the process.
"""

import os
import sys

SWITCHES = {
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_XET_TELEMETRY_ENABLED": "false",
    "ORT_DISABLE_TELEMETRY": "1",
}
"""Variables that libraries read when they are first imported, in processes that we start as well.
`onnxruntime.disable_telemetry_events` comes too late: by then an identifier of the device is on the disk and a first
event on its way."""
BANISHED = ("openvino_telemetry",)
"""Modules that do nothing else. What imports them does without where they are missing."""


def silence() -> None:
    """Switch it off, whatever the environment says; to be called before any of these libraries is imported."""
    os.environ |= SWITCHES
    for name in BANISHED:
        sys.modules[name] = None  # type: ignore[assignment] # makes an import of it fail, as documented
