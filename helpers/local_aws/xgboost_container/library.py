"""XGBoost, imported without its wrappers for scikit-learn.

They are not used here, and their import takes more than half of the CPU time of that of XGBoost.
"""

import sys

_SCIKIT_LEARN = "sklearn"

sys.modules[_SCIKIT_LEARN] = None  # type: ignore[assignment] # as documented for `import`: not found
import xgboost  # noqa: E402

del sys.modules[_SCIKIT_LEARN]

__all__ = ["xgboost"]
