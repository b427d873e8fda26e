import os
import subprocess

from helpers.local_aws.hadoop.class_data_sharing import class_path, shared_classes
from helpers.spark import java

RESOURCE_MANAGER = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager"


def test_daemons_take_their_classes_from_the_archive() -> None:
    options = shared_classes()
    assert options, "make up creates it"
    program = str(java.java_home() / "bin" / "java")
    jars = os.pathsep.join(map(str, class_path()))

    done = subprocess.run(
        [program, *options, "-Xlog:class+load=info", "-cp", jars, RESOURCE_MANAGER, "-help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert f"{RESOURCE_MANAGER} source: shared objects file (top)" in done.stdout
