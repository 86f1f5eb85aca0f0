# case: app=dotnet to=mcr.microsoft.com/dotnet/aspnet:3.1 history ignore
FROM mcr.microsoft.com/dotnet/sdk:3.1
WORKDIR /src
COPY Shop.csproj .
RUN dotnet restore
COPY . .
RUN dotnet publish -c Release -o /app --no-restore
WORKDIR /app
# The port is that of PORT.
EXPOSE 8080
ENTRYPOINT ["dotnet", "Shop.dll"]
