"""A process of its own on the Ray of the session: starting another one takes 6 CPU seconds."""

import ray
from ray._raylet import AuthenticationTokenLoader  # type: ignore[missing-module-attribute]


def joining() -> dict[str, str]:
    """What a process needs in its environment to join, as `private_ray` gives it to Ray's own processes.

    Without the last one Ray looks for itself at the machine's outward address.
    """
    return {
        "RAY_ADDRESS": ray.get_runtime_context().gcs_address,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": AuthenticationTokenLoader.instance().get_raw_token(),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
