r"""Compare the predictions for the sample of a version with the recorded ones.

spark-submit --py-files etl.zip,model_quality.zip check_sample.py --predictions URI --sample URI --checked URI
"""

from __future__ import annotations

from model_quality.sample import main

if __name__ == "__main__":
    main()
