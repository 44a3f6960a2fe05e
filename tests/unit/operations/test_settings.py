"""Settings come from the environment and one file; what is wrong is named, and no secret is printed."""

import os
from pathlib import Path

import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.settings import Settings, load_settings
from sluicegate_consumer.operations.settings_catalogue import entries, printable

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("SLUICEGATE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sluicegate.yaml"
    monkeypatch.setenv("SLUICEGATE_CONFIG", str(path))
    return path


def failure() -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(file, monkeypatch):
    file.write_text("batch: {max_frames: 8, max_wait_s: 0.5}\nkafka: {bootstrap_servers: 'a:1'}\n")
    monkeypatch.setenv("SLUICEGATE_BATCH__MAX_FRAMES", "4")
    settings = load_settings()
    assert (settings.batch.max_frames, settings.batch.max_wait_s) == (4, 0.5)
    assert settings.kafka.bootstrap_servers == "a:1"
    assert settings.topics.names().verdicts == "sluicegate.verdicts"


def test_lists_and_mappings_in_the_environment_are_json(monkeypatch):
    monkeypatch.setenv("SLUICEGATE_FETCH__ALLOWED_URI_PREFIXES", '["s3://uploads/"]')
    monkeypatch.setenv("SLUICEGATE_FETCH__STORE_OPTIONS__AWS_REGION", "eu-central-1")
    fetch = load_settings().fetch
    assert fetch.allowed_uri_prefixes == ("s3://uploads/",)
    assert fetch.store_options == {"aws_region": "eu-central-1"}


def test_settings_are_frozen():
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.kafka.bootstrap_servers = "elsewhere:9092"


def test_an_empty_file_holds_no_settings(file):
    file.write_text("# nothing yet\n")
    assert Settings().batch == load_settings().batch


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SLUICEGATE_KAFKA__BOOTSTRAP_SERVER", "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS"),
        ("SLUICEGATE_POLICYFILE", "SLUICEGATE_POLICY_FILE"),
        ("SLUICEGATE_KAFKAA__SASL_PASSWORD", "SLUICEGATE_KAFKA__SASL_PASSWORD"),
        ("SLUICEGATE_OBSERVABILITY__ENDPOINT_PROT", "SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT"),
    ],
)
def test_a_misspelt_variable_is_an_error_that_names_its_neighbour(monkeypatch, variable, meant):
    monkeypatch.setenv(variable, SECRET)
    message = failure()
    assert f"{variable}: no such setting; did you mean {meant}" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SLUICEGATE_SERVICE_HOST", "10.0.0.7"),
        ("SLUICEGATE_WORKER_SERVICE_PORT_METRICS", "9090"),
        ("SLUICEGATE_PORT", "tcp://10.0.0.7:9090"),
        ("SLUICEGATE_PORT_9090_TCP_ADDR", "10.0.0.7"),
    ],
)
def test_what_kubernetes_adds_for_a_service_of_our_name_is_no_misspelling(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    load_settings()


@pytest.mark.parametrize("value", ["s3://uploads/", '"s3://uploads/"', '{"a": "b"}'])
def test_a_list_that_is_no_json_list_is_an_error_that_names_the_variable(monkeypatch, value):
    monkeypatch.setenv("SLUICEGATE_FETCH__ALLOWED_URI_PREFIXES", value)
    assert 'SLUICEGATE_FETCH__ALLOWED_URI_PREFIXES: must be written as JSON, like ["first"' in failure()


def test_an_unknown_key_in_the_file_names_its_neighbour_and_hides_its_value(file):
    file.write_text(f"kafka: {{sasl_pasword: {SECRET}}}\n")
    message = failure()
    assert "kafka.sasl_pasword: no such setting; did you mean kafka.sasl_password" in message
    assert SECRET not in message


def test_a_wrong_value_is_named_with_its_key_its_variable_and_what_would_be_right(monkeypatch):
    monkeypatch.setenv("SLUICEGATE_BATCH__MAX_FRAMES", "0")
    monkeypatch.setenv("SLUICEGATE_KAFKA__SECURITY_PROTOCOL", "TLS")
    message = failure()
    line = "batch.max_frames (SLUICEGATE_BATCH__MAX_FRAMES): Input should be greater than or equal to 1 (is '0')"
    assert line in message
    assert "'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL' (is 'TLS')" in message


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e10", "86400.1"])
@pytest.mark.parametrize("key", [entry.key for entry in entries(Settings) if entry.key.endswith("_s")])
def test_no_time_is_longer_than_a_day(monkeypatch, key, seconds):
    variable = f"SLUICEGATE_{key.upper().replace('.', '__')}"
    monkeypatch.setenv(variable, seconds)
    line = f"{key} ({variable}): Input should be less than or equal to 86400 (is '{seconds}')"
    assert line in failure()
    monkeypatch.setenv(variable, "86400")
    load_settings()


@pytest.mark.parametrize(
    "content",
    [
        f"kafka: {{sasl_password: [{SECRET}]}}",
        f"kafka: {{tls_key_password: {{is: {SECRET}}}}}",
        f"fetch: {{store_options: {SECRET}}}",
        f"fetch: {{store_options: {{aws_secret_access_key: [{SECRET}]}}}}",
        f"ollama: {{urls: ['http://user:{SECRET}@host:port/']}}",
        f"kafka: {SECRET}",
        f"kafka: {{sasl_password: *{SECRET}}}",
        f"kafka: {{sasl_password: !{SECRET} x}}",
        f"kafka: {{sasl_password: {SECRET}",
        f"kafka: {{sasl_password: !!timestamp {SECRET}}}",
        f"kafka: {{sasl_password: {SECRET}, sasl_password: {SECRET}}}",
        f"kafka: {{on: {SECRET}}}",
    ],
)
def test_no_message_holds_a_secret(file, content):
    file.write_text(content)
    assert SECRET not in failure()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("- a\n- b\n", "must hold a mapping of settings, not a list"),
        ("kafka:\n  a: [1\n", "line 3, column 1: not valid YAML"),
        ("\x00", "not valid YAML"),
        ("[" * 2000, "not valid YAML"),
        ("batch: {max_frames: 8}\non: true\n", "line 2: the key on is no text to YAML: put it in quotes"),
        ("1: {}\n", "line 1: the key 1 is no text to YAML: put it in quotes"),
        ("kafka:\n  2024-99-99: a\n", "line 2: the key 2024-99-99 is no text to YAML: put it in quotes"),
        ("? [a]\n: b\n", "line 1: the key is no text to YAML: put it in quotes"),
        (
            "model:\n  name: 2024-99-99\n",
            "line 2: has the form of the YAML type timestamp and is none: put text in quotes",
        ),
        ("model: {name: !!int x}\n", "line 1: has the form of the YAML type int and is none: put text in quotes"),
        ("model: {name: !!bool x}\n", "line 1: has the form of the YAML type bool and is none: put text in quotes"),
        ("kafka: {}\nbatch: {}\nkafka: {}\n", "line 3: kafka is given twice, first in line 1: keep one"),
        (
            "batch:\n  max_frames: 1\n  'max_frames': 2\n",
            "line 3: batch.max_frames is given twice, first in line 2: keep one",
        ),
    ],
)
def test_a_file_that_holds_no_settings_is_an_error_that_says_where(file, content, expected):
    file.write_text(content)
    message = failure()
    assert str(file) in message
    assert expected in message


def test_all_keys_that_are_wrong_are_named_at_once(file):
    file.write_text("on: {}\nbatch: {}\nbatch: {}\n")
    where = f"SLUICEGATE_CONFIG={file}: line"
    assert [
        f"{where} 1: the key on is no text to YAML: put it in quotes",
        f"{where} 3: batch is given twice, first in line 2: keep one",
    ] == failure().splitlines()


def test_anchors_and_merges_are_read_and_what_they_override_is_not_given_twice(file):
    file.write_text("ollama: &times {timeout_s: 7, deadline_s: 8}\nfetch: {<<: *times, deadline_s: 9}\n")
    settings = load_settings()
    assert (7, 8, 7, 9) == (
        settings.ollama.timeout_s,
        settings.ollama.deadline_s,
        settings.fetch.timeout_s,
        settings.fetch.deadline_s,
    )


def test_a_mapping_inside_itself_is_an_error_and_not_the_end(file):
    file.write_text("fetch: &itself {store_options: *itself}\n")
    assert "fetch.store_options" in failure()


def test_a_file_that_is_not_there_is_an_error(file):
    assert f"SLUICEGATE_CONFIG={file}: cannot be read: No such file" in failure()


def test_secrets_are_masked_where_settings_are_printed(file):
    file.write_text(
        f"kafka: {{sasl_password: {SECRET}, sasl_username: moderator}}\n"
        f"fetch: {{store_options: {{aws_secret_access_key: {SECRET}}}}}\n"
        f"ollama: {{urls: ['http://user:{SECRET}@ollama:11434/']}}\n"
    )
    shown = printable(load_settings())
    assert SECRET not in str(shown)
    assert shown["kafka.sasl_username"] == "moderator"
    assert shown["fetch.store_options"] == {"aws_secret_access_key": "**********"}
    assert shown["ollama.urls"] == ["http://***@ollama:11434/"]
    assert shown["kafka.tls_key_password"] is None


def test_every_setting_says_what_it_means():
    assert [entry.key for entry in entries(Settings) if not entry.field.description] == []
