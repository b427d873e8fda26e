from helpers.infra.networking.networking import get_network_configuration, get_vpc_configuration


def test_a_job_runs_in_the_given_subnets_with_encrypted_traffic() -> None:
    configuration = get_network_configuration(subnets=["subnet-1", "subnet-2"], security_group_ids=["sg-1"])

    assert configuration._to_request_dict() == {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": True,
        "VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
    }


def test_isolation_is_possible_and_keeps_the_encryption() -> None:
    configuration = get_network_configuration(["subnet-1"], ["sg-1"], enable_network_isolation=True)

    assert configuration.enable_network_isolation is True
    assert configuration.encrypt_inter_container_traffic is True


def test_the_placement_alone_is_a_vpc_config() -> None:
    assert get_vpc_configuration(("subnet-1",), ("sg-1",)) == {
        "Subnets": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
    }
