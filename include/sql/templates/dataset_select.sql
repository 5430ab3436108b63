{#-
The rows of a data set: for each key the newest feature version and the newest label version known before the cut-off.

Which versions count is decided by known_at; which of them is the newest, by the workload's clock. They differ for a version that
arrived late: it became known after a newer one.

Keys without a label known by then are left out. Only the partitions of the window are read; a label is taken to happen no
earlier than its feature event. The rendered text is part of the data set's version: every change of it makes new versions.
-#}
{%- macro newest_known(table, columns, tie_breakers) -%}
  select *
  from (
    select {{ columns | map("identifier") | join(", ") }},
      {#- the tie breakers only make the choice between equals the same every time #}
      row_number() over (partition by "key" order by {{ version_time }} desc, {{ tie_breakers | map("identifier") | join(" desc, ") }} desc) as "_version"
    from {{ database | identifier }}.{{ table | identifier }}
    where {{ partition_column | identifier }} between {{ first_day | literal }} and {{ last_day | literal }}
      and "known_at" < {{ cutoff | timestamp }}
{%- if days_left_out %}
      and {{ partition_column | identifier }} not in ({{ days_left_out | map("literal") | join(", ") }})
{%- endif %}
  )
  where "_version" = 1
{%- endmacro -%}
with features as (
  {{ newest_known(feature_table, feature_columns, feature_tie_breakers) }}
),
labels as (
  select "key", cast(({{ label_expression }}) as integer) as "label"
  from (
  {{ newest_known(label_table, label_columns, label_tie_breakers) }}
  )
)
select f."key", f."event_time", l."label", f.{{ dataset_columns | map("identifier") | join(", f.") }},
  case
    when f."event_time" >= {{ test_start | timestamp }} then 'test'
    when f."event_time" >= {{ validation_start | timestamp }} then 'validation'
    else 'train'
  end as "split"
from features f
join labels l on l."key" = f."key"
where l."label" is not null
  and f."event_time" >= {{ train_start | timestamp }}
  and f."event_time" < {{ cutoff | timestamp }}
