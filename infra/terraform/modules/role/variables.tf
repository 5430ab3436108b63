variable "name" {
  description = "Name of the role."
  type        = string
}

variable "description" {
  description = "What uses the role."
  type        = string
}

variable "documents" {
  description = "Folder with trust.json and permissions.json, and perhaps permissions-<subject>.json where one document would be too long."
  type        = string
}

variable "placeholders" {
  description = "Values of the placeholders in the documents."
  type        = map(string)
}

variable "permissions_boundary_arn" {
  description = "The boundary of the role. Null: it has none."
  type        = string
  default     = null
}

variable "max_session_seconds" {
  description = "How long a session of the role may last."
  type        = number
  default     = 3600
}

variable "tags" {
  description = "Tags besides the default ones."
  type        = map(string)
  default     = {}
}
