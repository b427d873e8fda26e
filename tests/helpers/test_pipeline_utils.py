from helpers.pipeline_utils import get_pipeline_config


def test_names_follow_from_the_parameters_alone() -> None:
    params = {"pipeline_name": "P", "trial": "t", "pyspark_process_name": "clean"}

    assert get_pipeline_config(params) == {"trial": "t", "pre-processing-step": "clean"}
