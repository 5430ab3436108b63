{#-
Per split: the number of rows and of positive labels, the first and last event, and a digest of the rows.

The digest is the sum of 60 bits of the sha256 of each row's canonical text, so it does not depend on the order of rows.

The canonical text of a value is the same in every engine and differs for different values; null is the empty text. A double is
written as two whole numbers, its floor and the rest in units of 2^-52, because engines print doubles differently while floor,
subtraction and multiplication by a power of two are the same everywhere; differences below 2^-52 are ignored. It needs
absolute values below 9.2e18, which include.workloads.fields and the transform ensure.
-#}
{%- macro canonical_text(column, type) -%}
{%- if type == "string" -%}
coalesce('"' || replace({{ column }}, '"', '""') || '"', '')
{%- elif type == "double" -%}
coalesce(cast(cast(floor({{ column }}) as bigint) as varchar) || '+' || {# -#}
cast(cast(floor(({{ column }} - floor({{ column }})) * 4503599627370496E0) as bigint) as varchar), '')
{%- elif type == "timestamp" -%}
coalesce(date_format({{ column }}, '%Y-%m-%d %H:%i:%s.%f'), '')
{%- else -%}
coalesce(cast({{ column }} as varchar), '')
{%- endif -%}
{%- endmacro -%}
{%- macro canonical_row() -%}
{%- for name, type in typed_columns -%}
{{ canonical_text(name | identifier, type) }}{% if not loop.last %} || ',' || {% endif %}
{%- endfor -%}
{%- endmacro -%}
select "split",
  count(*) as row_count,
  sum("label") as positives,
  min("event_time") as first_event,
  max("event_time") as last_event,
  cast(sum(cast(from_base(substr(to_hex(sha256(to_utf8({{ canonical_row() }}))), 1, 15), 16) as decimal(38, 0))) as varchar) as digest
from (
{% include "dataset_select.sql" %}
)
group by "split"
order by "split"
