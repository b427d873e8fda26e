"""CloudWatch Logs."""

import json

from moto.logs.responses import LogsResponse


# moto's classes have no types, so the base of their subclasses is Any.
class LogsExtension(LogsResponse):  # type: ignore[misc]
    """The responses, with a request member that moto ignores."""

    def filter_log_events(self) -> str:
        """Return events, with support for `logStreamNamePrefix`, sorted by time across streams as on AWS."""
        name, prefix = self._get_param("logGroupName"), self._get_param("logStreamNamePrefix")
        streams = self._get_param("logStreamNames", [])
        group = self.logs_backend.groups.get(name)
        if prefix and group:
            streams = [stream for stream in group.streams if stream.startswith(prefix)]
            if not streams:
                return json.dumps({"events": [], "searchedLogStreams": []})
        events, token, searched = self.logs_backend.filter_log_events(
            name,
            streams,
            self._get_param("startTime"),
            self._get_param("endTime"),
            self._get_param("limit"),
            self._get_param("nextToken"),
            self._get_param("filterPattern"),
            interleaved=True,
        )
        return json.dumps({"events": events, "nextToken": token, "searchedLogStreams": searched})
