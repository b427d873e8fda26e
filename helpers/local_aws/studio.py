"""SageMaker Studio: domains, user profiles, spaces and applications.

The resources that SageMaker creates for a domain are created here too, because they prevent the deletion of
the VPC: a file system with a mount target in each subnet, and two security groups that refer to each other.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from moto.ec2.models import ec2_backends
from moto.efs.models import efs_backends

from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response, page, with_values
from helpers.local_aws.regional import Regional

NFS = 2049
"""The port of NFS."""

_KEYS = {
    "UserProfile": ("DomainId", "UserProfileName"),
    "Space": ("DomainId", "SpaceName"),
    "App": ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName"),
}
_ARN_NAMES = {"UserProfile": "user-profile", "Space": "space", "App": "app"}
_LIST_MEMBERS = {"UserProfile": "UserProfiles", "Space": "Spaces", "App": "Apps"}

Key = tuple[str | None, ...]


class Studio:
    """The Studio domains of one region; operations take and return the API's JSON."""

    def __init__(self, region: str):
        self._region = region
        self._domains: dict[str, Response] = {}
        self._contents: dict[str, dict[Key, Response]] = {kind: {} for kind in _KEYS}

    def operations(self) -> dict[str, Callable[[Request], Response | None]]:
        """Return the operations by name."""
        found: dict[str, Callable[[Request], Response | None]] = {
            "CreateDomain": self.create_domain,
            "DescribeDomain": self.describe_domain,
            "ListDomains": self.list_domains,
            "UpdateDomain": self.update_domain,
            "DeleteDomain": self.delete_domain,
        }
        for kind in _KEYS:
            found[f"Create{kind}"] = partial(self._create, kind)
            found[f"Describe{kind}"] = partial(self._find, kind)
            found[f"Delete{kind}"] = partial(self._delete, kind)
            found[f"List{_LIST_MEMBERS[kind]}"] = partial(self._list, kind)
        found["UpdateUserProfile"] = self.update_user_profile
        return found

    def find_tags(self, arn: str) -> list[dict[str, str]] | None:
        """Return the tags of the domain, profile, space or application with an ARN, or None."""
        held = [(domain, domain["DomainArn"]) for domain in self._domains.values()]
        for kind, contents in self._contents.items():
            held += [(item, item[f"{kind}Arn"]) for item in contents.values()]
        found = next((item for item, of_item in held if of_item == arn), None)
        return None if found is None else _tags_of(found)

    def create_domain(self, request: Request) -> Response:
        """Create a domain, with its file system and security groups.

        Raises:
            ApiError: the name is already used, or the VPC or a subnet does not exist.
        """
        name = request["DomainName"]
        if any(domain["DomainName"] == name for domain in self._domains.values()):
            raise ApiError("ResourceInUse", f"Domain with name {name} already exists")
        self._check_network(request)
        domain_id = f"d-{uuid.uuid4().hex[:12]}"
        arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:domain/{domain_id}"
        self._domains[domain_id] = {
            "AppNetworkAccessType": "PublicInternetOnly",
            **request,
            "DomainId": domain_id,
            "DomainArn": arn,
            "Status": "InService",
            "CreationTime": datetime.now(UTC),
            "LastModifiedTime": datetime.now(UTC),
            "Url": f"https://{domain_id}.studio.{self._region}.sagemaker.aws",
            "HomeEfsFileSystemId": self._file_system(domain_id, arn, request),
        }
        return {key: self._domains[domain_id][key] for key in ("DomainArn", "DomainId", "Url")}

    def _check_network(self, request: Request) -> None:
        ec2 = ec2_backends[ACCOUNT][self._region]
        if request["VpcId"] not in ec2.vpcs:
            raise ApiError("ValidationException", f"The vpc ID '{request['VpcId']}' does not exist")
        known = {subnet.id: subnet for zone in ec2.subnets.values() for subnet in zone.values()}
        for subnet in request["SubnetIds"]:
            if subnet not in known:
                raise ApiError("ValidationException", f"The subnet ID '{subnet}' does not exist")
            if known[subnet].vpc_id != request["VpcId"]:
                text = f"The subnet '{subnet}' is not in the vpc '{request['VpcId']}'"
                raise ApiError("ValidationException", text)

    def describe_domain(self, request: Request) -> Response:
        """Return a domain."""
        try:
            return {key: value for key, value in self._domains[request["DomainId"]].items() if key != "Tags"}
        except KeyError:
            raise ApiError("ResourceNotFound", f"Domain [{request['DomainId']}] does not exist.") from None

    def list_domains(self, request: Request) -> Response:
        """Return the domains of the region."""
        members = ("DomainArn", "DomainId", "DomainName", "Status", "CreationTime", "LastModifiedTime", "Url")
        found = [{key: domain[key] for key in members} for domain in self._domains.values()]
        return page(found, request, "Domains")

    def update_domain(self, request: Request) -> Response:
        """Update the given settings."""
        self.describe_domain(request)
        self._domains[request["DomainId"]].update(request)
        return {"DomainArn": self._domains[request["DomainId"]]["DomainArn"]}

    def delete_domain(self, request: Request) -> Response:
        """Delete an empty domain. Its security groups stay, and by default its file system."""
        domain = self.describe_domain(request)
        for kind, contents in self._contents.items():
            if names := [key for key, item in contents.items() if key[0] == domain["DomainId"] and _is(item)]:
                raise ApiError(
                    "ResourceInUse",
                    f"Unable to delete Domain {domain['DomainId']} because {len(names)} {kind}(s) are in it.",
                )
        if request.get("RetentionPolicy", {}).get("HomeEfsFileSystem") == "Delete":
            efs = efs_backends[ACCOUNT][self._region]
            for target in list(efs.mount_targets_by_id.values()):
                if target.file_system_id == domain["HomeEfsFileSystemId"]:
                    efs.delete_mount_target(target.mount_target_id)
            efs.delete_file_system(domain["HomeEfsFileSystemId"])
        del self._domains[domain["DomainId"]]
        return {}

    def _file_system(self, domain_id: str, arn: str, request: Request) -> str:
        efs, ec2 = efs_backends[ACCOUNT][self._region], ec2_backends[ACCOUNT][self._region]
        inbound, outbound = (
            ec2.create_security_group(
                f"security-group-for-{way}-nfs-{domain_id}",
                f"[DO NOT DELETE] Security Group that allows {way} NFS traffic for SageMaker Domain",
                vpc_id=request["VpcId"],
            )
            for way in ("inbound", "outbound")
        )
        ec2.authorize_security_group_ingress(
            inbound.id, "tcp", NFS, NFS, [], source_groups=[{"GroupId": outbound.id}]
        )
        ec2.authorize_security_group_egress(
            outbound.id, "tcp", NFS, NFS, [], source_groups=[{"GroupId": inbound.id}]
        )
        files = efs.create_file_system(
            creation_token=domain_id,
            performance_mode="generalPurpose",
            encrypted=True,
            kms_key_id=request.get("KmsKeyId"),
            throughput_mode="bursting",
            provisioned_throughput_in_mibps=0,
            availability_zone_name="",
            backup=False,
            tags=[{"Key": "ManagedByAmazonSageMakerResource", "Value": arn}],
        )
        for subnet in request["SubnetIds"]:
            efs.create_mount_target(files.file_system_id, subnet, security_groups=[inbound.id])
        return str(files.file_system_id)

    def update_user_profile(self, request: Request) -> Response:
        """Update the settings of a profile."""
        found = self._find("UserProfile", request)
        kept = self._contents["UserProfile"][_key("UserProfile", request)]
        kept.update(request, LastModifiedTime=datetime.now(UTC))
        return {"UserProfileArn": found["UserProfileArn"]}

    def _create(self, kind: str, request: Request) -> Response:
        self.describe_domain(request)
        key = _key(kind, request)
        if key in self._contents[kind] and _is(self._contents[kind][key]):
            raise ApiError("ResourceInUse", f"{kind} {'/'.join(filter(None, key))} already exists")
        path = "/".join(filter(None, key)).lower()
        arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:{_ARN_NAMES[kind]}/{path}"
        now = datetime.now(UTC)
        times = {"CreationTime": now} if kind == "App" else {"CreationTime": now, "LastModifiedTime": now}
        self._contents[kind][key] = {**request, f"{kind}Arn": arn, "Status": "InService", **times}
        return {f"{kind}Arn": arn}

    def _find(self, kind: str, request: Request) -> Response:
        try:
            found = self._contents[kind][_key(kind, request)]
        except KeyError:
            named = "/".join(filter(None, _key(kind, request)))
            raise ApiError("ResourceNotFound", f"{kind} [{named}] does not exist.") from None
        return {key: value for key, value in found.items() if key != "Tags"}

    def _delete(self, kind: str, request: Request) -> Response:
        found, key = self._find(kind, request), _key(kind, request)
        if kind != "App":
            self._reject_while_in_use(kind, found)
            del self._contents[kind][key]
        else:  # applications are listed for a day after their deletion
            self._contents[kind][key]["Status"] = "Deleted"
        return {}

    def _reject_while_in_use(self, kind: str, found: Response) -> None:
        name = found[f"{kind}Name"]
        users = [app for app in self._contents["App"].values() if _is(app) and app.get(f"{kind}Name") == name]
        if kind == "UserProfile":
            users += [
                space
                for space in self._contents["Space"].values()
                if space.get("OwnershipSettings", {}).get("OwnerUserProfileName") == name
            ]
        if [user for user in users if user["DomainId"] == found["DomainId"]]:
            raise ApiError("ResourceInUse", f"Unable to delete {kind} {name}: it has applications or spaces.")

    def _list(self, kind: str, request: Request) -> Response:
        domain = request.get("DomainIdEquals")
        names = {"CreationTime", "Status", "LastModifiedTime", *_KEYS[kind]}
        found = [
            with_values({key: item.get(key) for key in sorted(names)})
            for item in self._contents[kind].values()
            if domain in {None, item["DomainId"]}
        ]
        return page(found, request, _LIST_MEMBERS[kind])


def _tags_of(item: Response) -> list[dict[str, str]]:
    """Return the list of tags that a resource holds; a change to the list changes the resource."""
    tags: list[dict[str, str]] = item.setdefault("Tags", [])
    return tags


def _key(kind: str, request: Request) -> Key:
    return tuple(request.get(member) for member in _KEYS[kind])


def _is(item: Response) -> bool:
    return bool(item["Status"] != "Deleted")


STUDIOS = Regional(Studio)
"""Shared by the API and CloudFormation."""
