"""Hive's statements on the catalog, their quotes, and the answers of SHOW and DESCRIBE."""

from __future__ import annotations

import pytest

from tests.support.athena import Athena
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
BUCKET = "athena-ddl"


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    found = Athena(cloud, BUCKET)
    found.table("parts", "n bigint", "STORED AS PARQUET", "year string, month int")
    return found


def test_the_quoted_ddl_of_the_amazon_providers_example(athena: Athena) -> None:
    """Properties, SerDe and location in double quotes, and an empty folder in the location, which Athena removes."""
    athena.put("people/part", "Ada,36\nAlan,41\n")
    athena.ok("CREATE DATABASE IF NOT EXISTS quoted_default")
    athena.ok(
        f"""CREATE EXTERNAL TABLE IF NOT EXISTS quoted_default.people
        ( `name` string, `age` int )
        ROW FORMAT SERDE "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
        WITH SERDEPROPERTIES ( "serialization.format" = ",", "field.delim" = "," )
        LOCATION "s3://{BUCKET}//people"
        TBLPROPERTIES ("has_encrypted_data"="false")
        """
    )
    assert athena.rows("SELECT * from quoted_default.people") == [["Ada", "36"], ["Alan", "41"]]
    assert athena.glue.get_table(DatabaseName="quoted_default", Name="people")["Table"]["Parameters"] == {
        "EXTERNAL": "TRUE",
        "has_encrypted_data": "false",
    }
    athena.ok("DROP TABLE IF EXISTS quoted_default.people")
    athena.ok("DROP DATABASE IF EXISTS quoted_default")


def test_every_clause_with_comments_between(athena: Athena) -> None:
    athena.ok(
        f"""-- a comment; with 'quotes'
        CREATE EXTERNAL TABLE `whole` ( -- columns
          `from` string COMMENT 'it\\'s; "quoted"', /* "n" */ n decimal(10, 2),
          s struct<`a`:int, b:array<map<string,double>>>
        ) COMMENT "a table" PARTITIONED BY (`day` date COMMENT 'UTC')
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\'
          COLLECTION ITEMS TERMINATED BY '\\002' MAP KEYS TERMINATED BY '\\003'
          LINES TERMINATED BY '\\n' NULL DEFINED AS ''
        STORED AS TEXTFILE LOCATION 's3://{BUCKET}/whole' TBLPROPERTIES ('a'='1', "b"='2');"""
    )
    table = athena.glue.get_table(DatabaseName="lake", Name="whole")["Table"]
    storage = table["StorageDescriptor"]
    assert [column["Name"] for column in storage["Columns"]] == ["from", "n", "s"]
    assert storage["Columns"][0]["Comment"] == 'it\'s; "quoted"'
    assert storage["Columns"][2]["Type"] == "struct<a:int,b:array<map<string,double>>>"
    assert storage["Location"] == f"s3://{BUCKET}/whole/"
    assert storage["SerdeInfo"]["Parameters"] == {
        "field.delim": "\t",
        "serialization.format": "\t",
        "escape.delim": "\\",
        "collection.delim": "\x02",
        "mapkey.delim": "\x03",
        "serialization.null.format": "",
    }
    assert table["PartitionKeys"] == [{"Name": "day", "Type": "date", "Comment": "UTC"}]
    assert table["Parameters"] == {"EXTERNAL": "TRUE", "comment": "a table", "a": "1", "b": "2"}


def test_the_classes_of_a_format_may_be_named(athena: Athena) -> None:
    athena.put_parquet("classes/0", n=[1])
    athena.ok(
        f"""CREATE EXTERNAL TABLE classes (n bigint)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
        STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
        OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
        LOCATION 's3://{BUCKET}/classes/'"""
    )
    assert athena.rows("SELECT * FROM classes") == [["1"]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE EXTERNAL TABLE \"quoted\" (a int) LOCATION 's3://b/x/'", "FAILED: ParseException line 1:22"),
        ('DROP TABLE "parts"', "FAILED: ParseException line 1:11 cannot recognize input near '\"parts\"'"),
        ("CREATE EXTERNAL TABLE t (a int, a string) LOCATION 's3://b/x/'", "Duplicate column name: a"),
        ("CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (a int) LOCATION 's3://b/x/'", "repeated in partitioning"),
        ("CREATE EXTERNAL TABLE t (a whatever) LOCATION 's3://b/x/'", "whatever"),
        ("CREATE EXTERNAL TABLE t (a int) LOCATION 's3a://b/x/'", "it must be an S3 path"),
        ("CREATE EXTERNAL TABLE t (a int)", "No LOCATION is given"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS JSON LOCATION 's3://b/x/'", "Unrecognized file format"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://b/x/'", "STORED AS ORC"),
        ("CREATE TABLE t (a int) LOCATION 's3://b/x/'", "Only external table creation is supported"),
        ("CREATE TABLE t (a int) LOCATION 's3://b/x/' TBLPROPERTIES ('table_type'='ICEBERG')", "type ICEBERG"),
        ("CREATE EXTERNAL TABLE parts (a int) LOCATION 's3://b/x/'", "Table lake.parts already exists"),
        (
            "CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/x/' TBLPROPERTIES (a='1')",
            "cannot recognize input near 'a'",
        ),
        ("DROP TABLE nothing", "FAILED: SemanticException [Error 10001]: Table not found lake.nothing"),
        ("DROP DATABASE nothing", "FAILED: SemanticException [Error 10072]: Database does not exist: nothing"),
        ("DROP DATABASE lake", "Database lake is not empty"),
        ("DROP VIEW parts", "is a table, not a view"),
        ("SHOW TABLES IN nothing", "[Error 10072]: Database does not exist: nothing"),
        ("SHOW PARTITIONS classes", "[Error 10241]: Table classes is not a partitioned table"),
        ("ALTER TABLE parts ADD PARTITION (year = '2013')", "the partition must name year, month"),
        ("ALTER TABLE parts DROP PARTITION (year = '1999', month = 1)", "Partition not found"),
        ("ALTER TABLE parts ADD COLUMNS (n int)", "Duplicate column name: n"),
        ("ALTER TABLE parts RENAME TO other", "ALTER TABLE … RENAME TO"),
        ("DELETE FROM parts WHERE n = 1", "Modifying Hive table rows is only supported for transactional tables"),
        ("UPDATE parts SET n = 1", "Modifying Hive table rows"),
        ("MERGE INTO parts USING parts ON true WHEN MATCHED THEN DELETE", "Modifying Hive table rows"),
        ("VACUUM parts", "VACUUM is only supported for Iceberg tables"),
        ("OPTIMIZE parts REWRITE DATA USING BIN_PACK", "OPTIMIZE is only supported for Iceberg tables"),
        ("DESCRIBE FORMATTED parts", "DESCRIBE EXTENDED or FORMATTED"),
    ],
)
def test_wrong_statements_fail_with_their_reason(athena: Athena, sql: str, reason: str) -> None:
    assert reason in athena.failure(sql)


def test_columns_are_added_and_replaced(athena: Athena) -> None:
    athena.put_parquet("grown/0", a=[1], b=["x"], c=[1.5])
    athena.table("grown", "a bigint", "STORED AS PARQUET")
    athena.ok("ALTER TABLE grown ADD COLUMNS (b string COMMENT 'later', d date)")
    assert athena.rows("SELECT * FROM grown") == [["1", "x", None]]
    athena.ok("ALTER TABLE grown REPLACE COLUMNS (c double, a bigint)")
    assert athena.rows("SELECT * FROM grown") == [["1.5", "1"]]


def test_partitions_are_added_moved_renamed_and_dropped(athena: Athena) -> None:
    athena.put_parquet("elsewhere/0", n=[5])
    athena.ok(
        f"""ALTER TABLE parts ADD IF NOT EXISTS PARTITION (year='2013', month=1) PARTITION (month=2, year="2013")
        LOCATION 's3://{BUCKET}/elsewhere/'"""
    )
    assert athena.lines("SHOW PARTITIONS parts") == ["year=2013/month=1", "year=2013/month=2"]
    assert athena.rows("SELECT n, year, month FROM parts") == [["5", "2013", "2"]]
    athena.ok(f"ALTER TABLE parts PARTITION (year='2013', month=1) SET LOCATION 's3://{BUCKET}/elsewhere/'")
    assert athena.rows("SELECT month FROM parts ORDER BY 1") == [["1"], ["2"]]
    athena.ok("ALTER TABLE parts PARTITION (year='2013', month=1) RENAME TO PARTITION (year='2014', month=7)")
    assert athena.lines("SHOW PARTITIONS parts") == ["year=2013/month=2", "year=2014/month=7"]
    assert "already exists" in athena.failure("ALTER TABLE parts ADD PARTITION (year='2014', month=7)")
    athena.ok("ALTER TABLE parts DROP PARTITION (year='2013', month=2), PARTITION (year='2014', month=7)")
    athena.ok("ALTER TABLE parts DROP IF EXISTS PARTITION (year='2013', month=2)")
    assert athena.lines("SHOW PARTITIONS parts") == []


def test_location_and_properties_are_set_and_shown(athena: Athena) -> None:
    athena.table("moved", "n bigint", "STORED AS PARQUET", more="TBLPROPERTIES ('a'='1')")
    athena.ok(f"ALTER TABLE moved SET LOCATION 's3://{BUCKET}/elsewhere'")
    athena.ok("ALTER TABLE moved SET TBLPROPERTIES ('a'='2', 'b'='3')")
    assert athena.rows("SELECT n FROM moved") == [["5"]] or athena.keys("elsewhere/") == []
    assert athena.results("SHOW TBLPROPERTIES moved") == [["EXTERNAL", "TRUE"], ["a", "2"], ["b", "3"]]
    assert athena.lines("SHOW TBLPROPERTIES moved('b')") == ["3"]
    shown = athena.lines("SHOW CREATE TABLE moved")
    assert shown[0] == "CREATE EXTERNAL TABLE `lake.moved`(" and f"'s3://{BUCKET}/elsewhere/'" in shown
    assert shown[-3:] == ["TBLPROPERTIES (", "'a'='2',", "'b'='3')"]


def test_a_shown_statement_makes_the_same_table(athena: Athena) -> None:
    athena.ok(
        f"""CREATE EXTERNAL TABLE again (a string COMMENT 'c', b int) PARTITIONED BY (d date)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION 's3://{BUCKET}/again/' TBLPROPERTIES ('x'='y')"""
    )
    first = athena.glue.get_table(DatabaseName="lake", Name="again")["Table"]
    written = "\n".join(str(row[0]) for row in athena.results("SHOW CREATE TABLE again"))
    athena.ok("DROP TABLE again")
    athena.ok(written.replace("`lake.again`", "lake.again"))
    second = athena.glue.get_table(DatabaseName="lake", Name="again")["Table"]
    for name in ("StorageDescriptor", "PartitionKeys", "Parameters"):
        assert second[name] == first[name]


def test_show_takes_patterns_and_databases(athena: Athena) -> None:
    athena.ok("CREATE DATABASE shown COMMENT 'c' WITH DBPROPERTIES ('creator'='me')")
    athena.ok(f"CREATE EXTERNAL TABLE shown.a_one (n int) LOCATION 's3://{BUCKET}/none/'")
    athena.ok(f"CREATE EXTERNAL TABLE shown.b_two (n int) LOCATION 's3://{BUCKET}/none/'")
    athena.ok("CREATE VIEW shown.v AS SELECT 1 AS x")
    assert athena.lines("SHOW TABLES IN shown") == ["a_one", "b_two", "v"]
    assert athena.lines("SHOW TABLES IN shown '*_one'") == ["a_one"]
    assert athena.lines("SHOW TABLES IN shown 'a.*|b.*'") == ["a_one", "b_two"]
    assert athena.lines("SHOW VIEWS IN shown") == ["v"]
    assert athena.lines("SHOW DATABASES LIKE 'sho*'") == ["shown"]
    assert athena.lines("SHOW SCHEMAS 'shown'") == ["shown"]
    assert athena.lines("SHOW COLUMNS IN a_one FROM shown") == athena.lines("SHOW COLUMNS FROM shown.a_one") == ["n"]
    assert athena.results("DESCRIBE shown.a_one n")[0][1].strip() == "int"  # type: ignore[union-attr]
    assert athena.lines("SHOW CREATE VIEW shown.v")[1:] == ["SELECT 1 AS x"]
    athena.ok('DROP VIEW "shown"."v"')
    athena.ok("DROP DATABASE shown CASCADE")
    assert "shown" not in athena.lines("SHOW DATABASES")


def test_views_are_replaced_and_keep_the_database_in_which_they_were_made(athena: Athena) -> None:
    athena.ok("CREATE DATABASE other")
    athena.ok('CREATE VIEW "other"."first" AS SELECT n + 1 AS m FROM classes')
    assert athena.rows("SELECT m FROM other.first") == [["2"]]
    assert "View already exists" in athena.failure("CREATE VIEW other.first AS SELECT 1 AS m")
    athena.ok("CREATE OR REPLACE VIEW other.first AS SELECT 'x' AS m")
    assert athena.rows("SELECT m FROM other.first") == [["x"]]
    athena.ok("DROP VIEW IF EXISTS other.nothing")


def test_prepared_statements_of_the_api_and_of_sql_are_the_same(athena: Athena) -> None:
    athena.api.create_prepared_statement(StatementName="mine", WorkGroup="primary", QueryStatement="SELECT ? + 1")
    assert athena.rows("EXECUTE mine USING 2") == [["3"]]
    athena.api.update_prepared_statement(StatementName="mine", WorkGroup="primary", QueryStatement="SELECT ? || 'x'")
    assert athena.rows("EXECUTE mine USING 'a'") == [["ax"]]
    assert [
        one["StatementName"] for one in athena.api.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    ]
    athena.api.delete_prepared_statement(StatementName="mine", WorkGroup="primary")
    assert "mine was not found" in athena.failure("EXECUTE mine USING 2")
    assert athena.rows("EXECUTE IMMEDIATE 'SELECT ? * 2' USING 4") == [["8"]]
