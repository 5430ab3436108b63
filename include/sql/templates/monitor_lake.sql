{#-
What published days look like: the features in the bins of a baseline, their moments, and the labels.

Every row of the result has a measure, an entry and a number of rows; include.pipelines.monitor.counts reads them.
-#}
{%- from "monitor_macros.jinja" import bin_of, as_number, text_of, counts, newest with context -%}
with "features" as (
  {{ newest(feature_table, feature_columns) }}
),
"counted" as (
  select {% for column in columns %}f.{{ column.column | identifier }} as {{ column.name | identifier }}{% if not loop.last %}, {% endif %}{% endfor %}{% if not columns %}f."key"{% endif %}
  from "features" f
),
"labels" as (
  select cast(({{ label_expression }}) as integer) as "label"
  from (
  {{ newest(label_table, label_columns) }}
  )
)
{% if columns -%}
{{ counts('"counted"', columns) }}
union all
{% endif -%}
select 'rows' as "measure", '' as "entry", count(*) as "row_count"
from "counted"
union all
select 'label' as "measure", cast("label" as varchar) as "entry", count(*) as "row_count"
from "labels"
where "label" is not null
group by "label"
