import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from helpers.s3 import object_sha256, parse, sha256_of
from ml_pipeline.params import PipelineParams
from ml_pipeline.releases.staging import FILES, code_hash, read_code, stage_code

files = st.dictionaries(st.text(max_size=5), st.binary(max_size=5), min_size=1, max_size=4)


@given(files)
def test_the_hash_does_not_depend_on_the_order_of_the_files(code: dict[str, bytes]) -> None:
    assert code_hash(code) == code_hash(dict(reversed(code.items())))
    assert len(code_hash(code)) == 16


@given(files, files)
def test_the_hash_tells_different_code_apart(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (code_hash(one) == code_hash(other)) == (one == other)


def test_bytes_cannot_move_between_name_and_content() -> None:
    assert code_hash({"ab": b"c"}) != code_hash({"a": b"bc"})


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match=r"process_pyspark.py: there is no such file"):
        read_code(tmp_path)


def test_code_is_read_from_the_folder(tmp_path) -> None:
    for name in FILES.values():
        (tmp_path / name).write_bytes(name.encode())

    assert read_code(tmp_path) == {name: name.encode() for name in FILES.values()}


def at(parameters: PipelineParams, code: dict[str, bytes]) -> PipelineParams:
    version = code_hash(code)
    uris = {key: parameters[key].replace("0123456789abcdef", version) for key in FILES}
    return parameters.model_copy(update=uris)


def test_code_is_staged_once_and_encrypted_by_its_bucket(
    stack: boto3.Session, stack_parameters: PipelineParams, code: dict[str, bytes]
) -> None:
    s3, parameters = stack.client("s3"), at(stack_parameters, code)

    first, second = stage_code(s3, parameters, code), stage_code(s3, parameters, code)

    assert first == [parameters[key] for key in FILES]
    assert second == []
    for uri, content in zip(first, (code[name] for name in FILES.values()), strict=True):
        bucket, key = parse(uri)
        stored = s3.get_object(Bucket=bucket, Key=key)
        assert stored["Body"].read() == content
        default = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert stored["SSEKMSKeyId"] == default["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]


def test_other_bytes_are_never_overwritten(
    stack: boto3.Session, stack_parameters: PipelineParams, code: dict[str, bytes]
) -> None:
    s3, parameters = stack.client("s3"), at(stack_parameters, code)
    stage_code(s3, parameters, code)

    with pytest.raises(UserError, match=r"holds other code than spark_jobs/data_utils.py"):
        stage_code(s3, parameters, {**code, "data_utils.py": b"# changed"})

    bucket, key = parse(parameters.pyspark_helper_code)
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == code["data_utils.py"]


def test_an_object_without_a_checksum_is_read(stack: boto3.Session, stack_parameters: PipelineParams) -> None:
    s3, uri = stack.client("s3"), parse(stack_parameters.spark_config_file)._replace(key="plain")
    assert object_sha256(s3, uri) is None

    s3.put_object(Bucket=uri.bucket, Key=uri.key, Body=b"x")

    assert object_sha256(s3, uri) == sha256_of(b"x")
