{#- The bin of a value, as include.model.baseline.bin_of says it, with the number of its column before it: '3:missing'. -#}
{%- macro bin_of(column) -%}
{%- set value = column.name | identifier -%}
case when {{ value }} is null then '{{ column.index }}:missing'
{%- if column.kind == "number" %}
  when {{ value }} < {{ column.low | double }} then '{{ column.index }}:below'
  when {{ value }} > {{ column.high | double }} then '{{ column.index }}:above'
{%- for edge in column.edges %}
  when {{ value }} < {{ edge | double }} then '{{ column.index }}:{{ loop.index0 }}'
{%- endfor %}
  else '{{ column.index }}:{{ column.edges | length }}'
{%- elif column.kind == "category" %}
{%- for text in column.listed %}
  when {{ value }} = {{ text | literal }} then '{{ column.index }}:{{ loop.index0 }}'
{%- endfor %}
{%- if column.others %}
  when {{ value }} in ({{ column.others | map("literal") | join(", ") }}) then '{{ column.index }}:other'
{%- endif %}
  else '{{ column.index }}:unknown'
{%- else %}
  else '{{ column.index }}:present'
{%- endif %} end
{%- endmacro -%}
{#- A column as a number: a category by the numbers of a relation. -#}
{%- macro as_number(name, relation) -%}
{%- if relation.of == name -%}
case {{ name | identifier }}
{%- for text, code in relation.codes.items() %} when {{ text | literal }} then {{ code | double }}
{%- endfor %} end
{%- else -%}
{{ name | identifier }}
{%- endif -%}
{%- endmacro -%}
{%- macro text_of(value) -%}
coalesce(cast({{ value }} as varchar), '')
{%- endmacro -%}
{#- Counts by bin, and the moments of each column: its mean, standard deviation and correlation with the related column. -#}
{%- macro counts(source, columns) -%}
select 'bin' as "measure", u."entry", count(*) as "row_count"
from (
  select array[
    {% for column in columns %}{{ bin_of(column) }}{% if not loop.last %},
    {% endif %}{% endfor %}
  ] as "entries"
  from {{ source }}
) s
cross join unnest(s."entries") as u("entry")
group by u."entry"
union all
select 'moments' as "measure", u."entry", m."row_count"
from (
  select count(*) as "row_count", array[
    {% for column in columns %}'{{ column.index }}|'
    || {% if column.kind == "number" %}{{ text_of("avg(" ~ (column.name | identifier) ~ ")") }} || '|'
    || {{ text_of("stddev_samp(" ~ (column.name | identifier) ~ ")") }}{% else %}'|'{% endif %} || '|'
    || {% if column.relation %}{{ text_of("corr(" ~ as_number(column.name, column.relation) ~ ", " ~ as_number(column.relation.with, column.relation) ~ ")") }}{% else %}''{% endif %}
    {%- if not loop.last %},
    {% endif %}{% endfor %}
  ] as "entries"
  from {{ source }}
) m
cross join unnest(m."entries") as u("entry")
{%- endmacro -%}
{#- The newest version of each key of some days. -#}
{%- macro newest(table, columns) -%}
  select *
  from (
    select {{ columns | map("identifier") | join(", ") }},
      row_number() over (partition by "key" order by {{ version_time }} desc, "known_at" desc, "arrived_at" desc) as "_version"
    from {{ database | identifier }}.{{ table | identifier }}
    where {{ partition_column | identifier }} between {{ first_day | literal }} and {{ last_day | literal }}
  )
  where "_version" = 1
{%- endmacro -%}
