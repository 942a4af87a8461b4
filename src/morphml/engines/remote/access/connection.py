"""Options of every connection: message limit, keepalive, and no sharing behind our back."""

from __future__ import annotations

#: Longest message, in bytes, in both directions.
MOST_MESSAGE_BYTES = 4 * 2**20
#: A connection on which nothing came for so long is asked whether it is alive, in ms: by a client,
#: and by a server, which has many of them.
CLIENT_ASKS_MS, SERVER_ASKS_MS = 5_000, 10_000
#: Written data or a question that nobody confirms so long ends the connection, in ms.
PATIENCE_MS = 4_000
#: A client may ask its server as often as this, in ms.
CLOSEST_QUESTIONS_MS = 2_000
#: Bytes of one call that may be under way unread: 20 MB/s where an answer takes 50 ms.
WINDOW_BYTES = 1 << 20
#: Longest wait for a connection to be made, in ms.
CONNECT_MS = 5_000
#: Shortest and longest pause before gRPC itself tries the same address again, in ms.
PAUSES_MS = (200, 2_000)

Options = list[tuple[str, int | str]]


def server_options() -> Options:
    """Options of a server.

    One port belongs to one server: with the sharing that Linux offers, a second one on the same
    port would start without a word and take half of the connections.
    """
    return [
        *_both(SERVER_ASKS_MS),
        ("grpc.so_reuseport", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", CLOSEST_QUESTIONS_MS),
    ]


def client_options(server_name: str | None = None) -> Options:
    """Options of a channel; each has a connection of its own, and makes no calls twice.

    Args:
        server_name: name to look for in the server's certificate instead of the target's.
    """
    named: Options = [] if server_name is None else [("grpc.ssl_target_name_override", server_name)]
    return [
        *_both(CLIENT_ASKS_MS),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),
        ("grpc.min_reconnect_backoff_ms", CONNECT_MS),
        ("grpc.initial_reconnect_backoff_ms", PAUSES_MS[0]),
        ("grpc.max_reconnect_backoff_ms", PAUSES_MS[1]),
        *named,
    ]


def _both(asks_ms: int) -> Options:
    return [
        ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MOST_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", asks_ms),
        ("grpc.keepalive_timeout_ms", PATIENCE_MS),
        # gRPC 1.85 waits a minute for the answer without this, whatever the line above says.
        ("grpc.http2.ping_timeout_ms", PATIENCE_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Else gRPC sizes the window by pings after what comes, and each wakes all its threads,
        # several times: half of what an idle worker costs.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
    ]
