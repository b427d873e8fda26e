"""AWS::SNS. No e-mail is sent to subscribers."""

import json
from typing import Any

from moto.sns.models import sns_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType


class _Sns(ResourceType):
    @property
    def _backend(self) -> Any:
        return sns_backends[self.place.account][self.place.region]


class Topic(_Sns):
    """AWS::SNS::Topic."""

    type_name = "AWS::SNS::Topic"
    emulated = frozenset({"DisplayName", "FifoTopic", "KmsMasterKeyId", "Subscription", "Tags", "TopicName"})

    def create(self, resource: Resource) -> None:
        """Create the topic with its subscriptions."""
        fifo = bool(resource.properties.get("FifoTopic"))
        name = resource.properties.get("TopicName", f"{resource.generated_name}{'.fifo' if fifo else ''}")
        if any(topic.name == name for topic in self._backend.topics.values()):
            raise ValueError(f"{name} already exists")
        topic = self._backend.create_topic(name, {"FifoTopic": "true"} if fifo else None)
        resource.physical_id = topic.arn
        self._configure(topic, resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the name and the encryption key."""
        topic = self._backend.topics.get(resource.physical_id)
        if topic is None:
            return None
        return {
            "DisplayName": topic.display_name,
            "FifoTopic": bool(topic.fifo_topic),
            "KmsMasterKeyId": topic.kms_master_key_id,
            "TopicName": topic.name,
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the topic and the subscriptions of its template."""
        self._configure(self._backend.get_topic(resource.physical_id), resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the topic."""
        if resource.physical_id in self._backend.topics:
            self._backend.delete_topic(resource.physical_id)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return TopicArn or TopicName."""
        topic = self._backend.get_topic(resource.physical_id)
        return {"TopicArn": topic.arn, "TopicName": topic.name}[name]

    def _configure(self, topic: Any, resource: Resource, before: Properties) -> None:
        topic.display_name = resource.properties.get("DisplayName", "")
        topic.kms_master_key_id = resource.properties.get("KmsMasterKeyId", "")
        self._backend.untag_resource(topic.arn, [tag["Key"] for tag in before.get("Tags", [])])
        self._backend.tag_resource(topic.arn, resource.tags)
        wanted = {
            (each["Protocol"], each["Endpoint"]) for each in resource.properties.get("Subscription", [])
        }
        had = {(each["Protocol"], each["Endpoint"]) for each in before.get("Subscription", [])}
        for arn, subscription in list(self._backend.subscriptions.items()):
            if subscription.topic is topic and (subscription.protocol, subscription.endpoint) in had - wanted:
                self._backend.unsubscribe(arn)
        for protocol, endpoint in sorted(wanted - had):
            self._backend.subscribe(topic.arn, endpoint, protocol)


class TopicPolicy(_Sns):
    """AWS::SNS::TopicPolicy: sets the policy of topics, and restores their previous policy on deletion."""

    type_name = "AWS::SNS::TopicPolicy"
    emulated = frozenset({"PolicyDocument", "Topics"})

    def create(self, resource: Resource) -> None:
        """Set the policy of the topics."""
        resource.physical_id = resource.attributes["Id"] = resource.generated_name
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the policy of the first topic, and the topics that have the same."""
        topics = self._backend.topics
        there = [topics[arn] for arn in resource.properties["Topics"] if arn in topics]
        if not there:
            return None
        return {
            "PolicyDocument": json.loads(there[0].policy),
            "Topics": [topic.arn for topic in there if topic.policy == there[0].policy],
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Set the policy of each topic, and restore the previous one on topics that are no longer named."""
        replaced = resource.state.setdefault("replaced", {})
        wanted = resource.properties["Topics"]
        self._restore(replaced, replaced.keys() - {*wanted})
        for arn in wanted:
            replaced.setdefault(arn, self._backend.get_topic(arn).policy)
            document = json.dumps(resource.properties["PolicyDocument"])
            self._backend.set_topic_attribute(arn, "policy", document)

    def delete(self, resource: Resource) -> None:
        """Restore the previous policies."""
        replaced = resource.state.get("replaced", {})
        self._restore(replaced, set(replaced))

    def _restore(self, replaced: dict[str, str], arns: set[str]) -> None:
        for arn in arns:
            document = replaced.pop(arn)
            if arn in self._backend.topics:
                self._backend.set_topic_attribute(arn, "policy", document)


class Subscription(_Sns):
    """AWS::SNS::Subscription."""

    type_name = "AWS::SNS::Subscription"
    emulated = frozenset({"Endpoint", "Protocol", "TopicArn"})

    def create(self, resource: Resource) -> None:
        """Subscribe the endpoint to the topic."""
        properties = resource.properties
        made = self._backend.subscribe(
            properties["TopicArn"], properties.get("Endpoint", ""), properties["Protocol"]
        )
        resource.physical_id = resource.attributes["Arn"] = made.arn

    def read(self, resource: Resource) -> Properties | None:
        """Return the subscription."""
        found = self._backend.subscriptions.get(resource.physical_id)
        if found is None:
            return None
        return {"Endpoint": found.endpoint, "Protocol": found.protocol, "TopicArn": found.topic.arn}

    def update(self, resource: Resource, before: Properties) -> None:
        """Change nothing: all emulated properties are create-only."""

    def delete(self, resource: Resource) -> None:
        """Unsubscribe."""
        self._backend.unsubscribe(resource.physical_id)
